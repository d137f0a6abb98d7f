// What `pyhost check` and `pyhost explain` are told.
#pragma once

#include <string>
#include <vector>

namespace pyhost::cli {

struct CheckOptions {
  std::string config_file;  // "" for the one that httpd takes by itself
  std::string httpd_program;
  std::string envvars;  // a shell file to read before; "" for the one beside the configuration
  std::vector<std::string> defines;  // for httpd's -D
  bool json = false;
  std::string url;  // to be explained; "" to check
};

}  // namespace pyhost::cli
