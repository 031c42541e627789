"""The checks of `aws-iot doctor`: each step that `sub` and `pub` take, one by one."""
