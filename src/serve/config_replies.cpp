// What is done to requests and replies of all kinds.
#include <algorithm>

#include "serve/config_lines.h"
#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

void write_compression(ConfigLines& lines) {
  for (const char* name : {"filter", "deflate"}) lines.load(name);
  lines.line(
      "AddOutputFilterByType DEFLATE text/plain text/html text/css text/javascript text/xml "
      "application/javascript application/json application/xml application/xhtml+xml "
      "image/svg+xml");
}

void write_headers(ConfigLines& lines, const std::vector<std::string>& headers) {
  lines.load("headers");
  for (const std::string& header : headers) {
    const auto colon = header.find(':');
    const auto value = header.find_first_not_of(" \t", colon + 1);
    lines.line("Header always set {} {}", config_word(header.substr(0, colon)),
               config_word(value == header.npos ? "" : header.substr(value)));
  }
}

}  // namespace

void write_replies(ConfigLines& lines, const ConfigSource& source) {
  const ServeOptions& options = source.options;
  lines.heading("Requests and replies");
  if (!source.plan.mime_types_file.empty()) {
    lines.load("mime");
    lines.line("TypesConfig {}", config_word(source.plan.mime_types_file));
  }
  if (options.max_body != 0) lines.line("LimitRequestBody {}", options.max_body);
  if (options.compress) write_compression(lines);
  if (!options.headers.empty()) write_headers(lines, options.headers);
  if (!options.setenv.empty() || !options.passenv.empty()) lines.load("env");
  for (const auto& [name, value] : options.setenv) {
    lines.line("SetEnv {} {}", config_word(name), config_word(value));
  }
  for (const std::string& name : options.passenv) lines.line("PassEnv {}", config_word(name));
  for (const auto& [status, url] : options.error_documents) {
    lines.line("ErrorDocument {} {}", config_word(status), config_word(url));
  }
}

}  // namespace pyhost::serve
