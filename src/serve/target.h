// What the word TARGET means.
#pragma once

#include "pyhost/base/result.h"
#include "serve/site.h"

namespace pyhost::serve {

// Fills in the form, path, module and callable of the site, and where its modules are found unless
// that is given. A script, a script:callable, package.module:callable, a package.module, or a
// folder, in which the application is looked for. Fails with a sentence that says how else it may
// be meant.
base::Result<> resolve_target(const ServeOptions& options, Site& site);

// Where the text names a callable: "shop.wsgi:application", "wsgi.py:create_app()".
struct NamedCallable {
  std::string place;
  std::string callable;
};
// The callable is "" when the text names none. Pure.
NamedCallable split_callable(std::string_view text);

// Whether the text could be the name of a module: "shop.wsgi". Pure.
bool is_module_name(std::string_view text);

}  // namespace pyhost::serve
