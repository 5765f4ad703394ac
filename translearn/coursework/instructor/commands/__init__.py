"""What an instructor does, a module for each command."""
