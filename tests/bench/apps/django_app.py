"""One view of Django, with a template."""

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of no use",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import Context, Template  # noqa: E402
from django.urls import path  # noqa: E402

PAGE = Template("{% for word in words %}{{ word }} {% endfor %}\n")


def index(request):
    return HttpResponse(PAGE.render(Context({"words": ["Hello", "World"] * 10})))


urlpatterns = [path("", index)]
application = get_wsgi_application()
