"""Left panel: patients, studies, series and films, with thumbnails and model results."""
