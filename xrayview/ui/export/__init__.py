"""What leaves the program from the window: figures, pictures, anonymous copies, tables."""
