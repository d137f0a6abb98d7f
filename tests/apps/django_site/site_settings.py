"""A site with the admin; its database and collected files lie in data/."""
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

SECRET_KEY = 'good enough for a test'
DEBUG = False
# Exceptions of views reach the server, which logs them.
DEBUG_PROPAGATE_EXCEPTIONS = True
ALLOWED_HOSTS = ['127.0.0.1']
ROOT_URLCONF = 'site_urls'
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3',
                         'NAME': FOLDER / 'data' / 'site.sqlite3'}}
STATIC_URL = '/static/'
STATIC_ROOT = FOLDER / 'data' / 'static'
USE_TZ = True

INSTALLED_APPS = ['django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',
                  'django.contrib.messages', 'django.contrib.sessions',
                  'django.contrib.staticfiles']
MIDDLEWARE = ['django.middleware.security.SecurityMiddleware',
              'django.contrib.sessions.middleware.SessionMiddleware',
              'django.middleware.common.CommonMiddleware',
              'django.middleware.csrf.CsrfViewMiddleware',
              'django.contrib.auth.middleware.AuthenticationMiddleware',
              'django.contrib.messages.middleware.MessageMiddleware']
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates',
              'APP_DIRS': True,
              'OPTIONS': {'context_processors': [
                  'django.template.context_processors.request',
                  'django.contrib.auth.context_processors.auth',
                  'django.contrib.messages.context_processors.messages']}}]
