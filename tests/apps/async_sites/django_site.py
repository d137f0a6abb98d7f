"""The pages that every site of this folder has, with Django."""
import asyncio
import json
import pathlib

from django.conf import settings

settings.configure(ALLOWED_HOSTS=['127.0.0.1'], ROOT_URLCONF=__name__, SECRET_KEY='for a test',
                   DEBUG=False)

from django.core.asgi import get_asgi_application
from django.http import (FileResponse, HttpResponse, HttpResponseRedirect, JsonResponse,
                         StreamingHttpResponse)
from django.urls import path


async def hello(request):
    return HttpResponse('hello', content_type='text/plain')


def item(request, id):
    return JsonResponse({'id': id, 'q': request.GET.get('q'), 'path': request.path})


async def echo(request):
    return JsonResponse(json.loads(request.body))


def upload(request):
    file = request.FILES['file']
    return JsonResponse({'name': file.name, 'size': file.size, 'title': request.POST['title']})


def stream(request):
    return StreamingHttpResponse((f'block {number}\n' for number in range(3)),
                                 content_type='text/plain')


def file(request):
    return FileResponse(open(pathlib.Path(__file__), 'rb'))


async def redirect(request):
    response = HttpResponseRedirect('/items/1?q=x')
    response.status_code = 303
    return response


async def cookie(request):
    response = HttpResponse(request.COOKIES.get('seen', 'nothing'))
    response.set_cookie('seen', 'yes', httponly=True)
    response.set_cookie('other', '1')
    return response


async def background(request):
    asyncio.get_running_loop().create_task(asyncio.sleep(0.01))
    return HttpResponse('done')


async def fail(request):
    raise ValueError('on purpose')


urlpatterns = [path('', hello), path('items/<int:id>', item), path('echo', echo),
               path('upload', upload), path('stream', stream), path('file', file),
               path('redirect', redirect), path('cookie', cookie), path('background', background),
               path('fail', fail)]
app = get_asgi_application()
