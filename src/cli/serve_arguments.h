// The options of `pyhost serve` on a command line.
#pragma once

#include <map>
#include <string>

#include "pyhost/base/result.h"
#include "serve/serve_options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pyhost::cli {

// Lives as long as the command that it is added to.
class ServeArguments {
 public:
  // TARGET, and every option of the table under all of its names.
  void add_to(CLI::App& command);

  // What was typed. Fails with a sentence about the first value, in the order in which they were
  // typed, that is not accepted.
  base::Result<serve::ServeOptions> options() const;

 private:
  struct Known {
    const serve::ServeOption* option;
    int words;
  };

  void add(const serve::ServeOption& option, const std::string& names, int words);

  CLI::App* command_ = nullptr;
  std::string target_;
  std::map<const CLI::Option*, Known> known_;
};

}  // namespace pyhost::cli
