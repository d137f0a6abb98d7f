"""Mercurial's own server over the repository that the environment variable REPOSITORY names."""
import os

from mercurial.hgweb import hgweb

os.environ['HGRCPATH'] = ''
application = hgweb(os.fsencode(os.environ['REPOSITORY']))
