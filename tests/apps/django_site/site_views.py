import hashlib

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def upload(request):
    file = request.FILES['file']
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return JsonResponse({'name': file.name, 'size': file.size, 'sha256': digest.hexdigest(),
                         'title': request.POST['title'],
                         'on_disk': hasattr(file, 'temporary_file_path')})


def stream(request, blocks):
    return StreamingHttpResponse(f'block {number}\n' for number in range(blocks))


def fail(request):
    try:
        return HttpResponse({}['no such key'])
    except KeyError as error:
        raise RuntimeError('the view failed') from error
