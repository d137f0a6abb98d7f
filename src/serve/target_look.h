// What a folder is: an application, or files.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::serve {

// The names in a folder and in the folders below it, two deep, without hidden ones; "shop/wsgi.py".
// Of Python files that may define an application also their text.
using FolderSketch = std::map<std::string, std::string, std::less<>>;

// Nothing is opened that is no regular file. A folder with very many names is not seen whole.
FolderSketch sketch_of(const std::string& folder);

// What a folder has turned out to be.
struct FolderMeaning {
  bool is_application = false;  // otherwise files for browsers
  std::string script;           // its file below the folder, or
  std::string module;           // its importable name
  std::string callable;
  std::string path;  // for a module: the folder below which it is found, "" or "src"
};

// A Django project, a package or script with an application of a usual name, or a folder of web
// pages. Fails with a sentence when it is none of them, or several. Pure. `name` is that of the
// folder in sentences.
base::Result<FolderMeaning> meaning_of(const FolderSketch& sketch, std::string_view name);

// Which of the usual names the text of a script defines at its top, as a callable is written:
// "application", "app", "create_app()", "make_app()"; "" for none.
std::string_view callable_defined_in(std::string_view text);

}  // namespace pyhost::serve
