"""`foureyes` with a bug in it: the real command line, in a process that planted what its environment names."""

from bot.cli.main import main
from tests.planted.bugs import plant_named
from tests.planted.planting import planted_here

if __name__ == "__main__":
    plant_named(planted_here())
    main()
