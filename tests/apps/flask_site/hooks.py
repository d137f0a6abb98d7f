"""Keeps the order in which Flask calls a request's hooks."""
from flask import request


def watch(application):
    steps = []

    def note(step, result=None):
        if request.path == '/hooks':
            steps.append(step)
        return result

    @application.route('/hooks')
    def hooks():
        return note('view', 'done')

    @application.route('/steps')
    def show_steps():
        return ' '.join(steps)

    application.before_request(lambda: note('before'))
    application.after_request(lambda response: note('after', response))
    application.teardown_request(lambda error: note('teardown'))
