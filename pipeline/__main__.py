"""`./loyalty` ends here: `python -m pipeline COMMAND …`."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
