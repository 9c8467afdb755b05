"""The command line `amxfp4`: one file a command."""
