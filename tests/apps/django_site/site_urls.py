from django.contrib import admin
from django.urls import path

import site_views

urlpatterns = [
    path('admin/', admin.site.urls),
    path('upload', site_views.upload),
    path('stream/<int:blocks>', site_views.stream),
    path('fail', site_views.fail),
]
