"""The console: Flask-Admin at the rim, own templates. It reads jobs from the catalogue and never imports their code."""
