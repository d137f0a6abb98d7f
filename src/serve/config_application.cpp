// The application and its process group.
#include <fmt/ranges.h>

#include "serve/config_lines.h"
#include "serve/config_words.h"
#include "settings/process_group.h"

namespace pyhost::serve {
namespace {

std::string group_word(const std::string& text) {
  return text == settings::kGlobalName ? text : config_word(text);
}

// The options of WSGIDaemonProcess that have the names of ours.
std::string shared_options(const ServeOptions& options) {
  std::string words;
  for (const ServeOption& option : serve_options()) {
    if (!option.of_group) continue;
    const auto& value = options.*std::get<std::string ServeOptions::*>(option.member);
    if (!value.empty()) words += fmt::format(" {}={}", option.name, config_word(value));
  }
  return words;
}

// What the application and the services beside it have in common.
std::string surroundings(const ConfigSource& source) {
  const ServeOptions& options = source.options;
  std::string words;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) words += fmt::format(" {}={}", key, config_word(value));
  };
  add("home", source.plan.home);
  add("python-home", source.site.python_home);
  add("python-path", fmt::format("{}", fmt::join(source.site.python_path, ":")));
  add("lang", options.locale);
  add("locale", options.locale);
  for (const auto& [name, value] : options.env) {
    add("env", fmt::format("{}={}", name, value));
  }
  add("env-file", options.env_file);
  for (const std::string& pattern : source.plan.reload_patterns) add("reload-on", pattern);
  return words;
}

void write_group(ConfigLines& lines, const ConfigSource& source) {
  const ServeOptions& options = source.options;
  std::string words = fmt::format(" threads={}", options.threads);
  if (options.processes != 0) words += fmt::format(" processes={}", options.processes);
  if (source.site.has_event_loop && options.interface.empty()) words += " interface=asgi";
  lines.line("WSGIRestrictEmbedded On");
  lines.line("WSGIDaemonProcess {}{}{}{}", kGroupName, words, surroundings(source),
             shared_options(options));
}

void write_services(ConfigLines& lines, const ConfigSource& source) {
  for (const auto& [name, file] : source.options.services) {
    const std::string group = config_word("service:" + name);
    lines.line("WSGIDaemonProcess {} threads=0{}", group, surroundings(source));
    lines.line("WSGIImportScript {} process-group={} application-group=%{{GLOBAL}}",
               config_word(file), group);
  }
}

void write_embedding(ConfigLines& lines, const Site& site) {
  if (!site.python_home.empty()) lines.line("WSGIPythonHome {}", config_word(site.python_home));
  if (site.python_path.empty()) return;
  lines.line("WSGIPythonPath {}", config_word(fmt::format("{}", fmt::join(site.python_path, ":"))));
}

void write_trust(ConfigLines& lines, const ServeOptions& options) {
  if (options.trust_proxy.empty()) return;
  lines.line("WSGITrustedProxies {}", fmt::join(options.trust_proxy, " "));
  std::vector<std::string> headers = options.trust_proxy_header;
  if (headers.empty()) headers = {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"};
  lines.line("WSGITrustedProxyHeaders {}", fmt::join(headers, " "));
}

}  // namespace

void write_application(ConfigLines& lines, const ConfigSource& source) {
  const Site& site = source.site;
  lines.heading("The application");
  if (source.options.embedded) {
    write_embedding(lines, site);
  } else {
    write_group(lines, source);
    write_services(lines, source);
  }
  if (source.options.disable_reloading) lines.line("WSGIScriptReloading Off");
  write_trust(lines, source.options);
  // Whoever logs in is httpd's matter only with a file of passwords.
  if (source.options.auth_file.empty() && source.options.auth_user_script.empty())
    lines.line("WSGIPassAuthorization On");
  const bool is_module = site.form == TargetForm::module;
  const std::string what = is_module ? site.module + ":" + site.callable : site.path;
  const bool name_callable = !is_module && site.callable != "application";
  lines.line("# With both groups named the script is imported when a process starts.");
  lines.line("WSGIScriptAlias {} {} process-group={} application-group={}{}",
             config_word(site.mount), config_word(what),
             source.options.embedded ? std::string(settings::kGlobalName) : kGroupName,
             group_word(source.options.application_group),
             name_callable ? " callable-object=" + config_word(site.callable) : "");
  if (!is_module) open_file(lines, site.path);
}

}  // namespace pyhost::serve
