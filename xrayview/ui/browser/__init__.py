"""Left: patients, studies, series and films, with thumbnails and what the model said of each."""
