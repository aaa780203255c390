"""The services of a process, each made once from the settings, when first used."""
