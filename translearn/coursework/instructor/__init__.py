"""The instructor's side of the coursework. Not in the wheel, nor in the copy for students."""
