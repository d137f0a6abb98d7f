// pyhost.toml: the options of `pyhost serve` in a file.
#pragma once

#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "serve/serve_options.h"

namespace pyhost::serve {

// Adds what the file of --config says, or pyhost.toml in the current folder if there is one, where
// the command line says nothing. Fails with a sentence that begins with FILE:LINE.
base::Result<> read_options_file(ServeOptions& options);

// What a file with that text says. Its keys are the names of options, and `target`; an option that
// is repeatable is an array, or a table where its values are pairs. Relative paths are those from
// `folder`; `file` is the name in sentences. Pure.
base::Result<ServeOptions> parse_options(std::string_view text, const std::string& file,
                                         const std::string& folder);

}  // namespace pyhost::serve
