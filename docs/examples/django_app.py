"""A Django project in one file: pyhost serve docs/examples/django_app.py"""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="for this example only",
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
)


def index(request):
    return HttpResponse("Hello from Django!\n", content_type="text/plain")


def headers(request):
    return JsonResponse(dict(request.headers))


urlpatterns = [path("", index), path("headers/", headers)]
application = get_wsgi_application()
