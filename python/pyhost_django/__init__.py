"""The command `manage.py runpyhost`: put "pyhost_django" into INSTALLED_APPS."""
