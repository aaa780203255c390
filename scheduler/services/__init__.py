"""The parts of a process, each made once from the settings, when it is first needed."""
