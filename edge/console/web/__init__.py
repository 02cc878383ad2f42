"""The console as web pages: server-rendered, a little JavaScript, nothing from anywhere else."""
