// Finds out, before httpd starts, whether Python and the workers could be started.
#pragma once

#include "pyhost/base/result.h"

namespace pyhost::apache {

// What may belong to a group's own user is looked at with that user's rights, by processes that
// nobody waits for longer than ten seconds; so is WSGIPythonHome, with those of httpd's children.
// PRECONDITION: check_process_groups() has run. Fails with one sentence.
base::Result<> check_starts();

}  // namespace pyhost::apache
