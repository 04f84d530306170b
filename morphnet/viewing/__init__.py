"""The robot live in a browser, through MuJoCo's own web viewer."""
