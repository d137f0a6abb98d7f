"""Returns a file when the process has no descriptor left."""
import os
import resource

SOFT, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)


class File:
    def __init__(self):
        self.file = open(__file__, 'rb')
        self.taken = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.file.fileno() + 1, HARD))
        try:
            while True:
                self.taken.append(os.dup(self.file.fileno()))
        except OSError:
            self.read, self.tell, self.fileno = self.file.read, self.file.tell, self.file.fileno

    def close(self):
        for descriptor in self.taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, HARD))


def application(environ, start_response):
    start_response('200 OK', [])
    return environ['wsgi.file_wrapper'](File())
