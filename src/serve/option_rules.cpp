#include "serve/option_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.h"
#include "serve/listen_port.h"
#include "serve/paths.h"

namespace pyhost::serve {
namespace {

base::Result<> needs(const ServeOptions& options, std::string_view name, std::string_view other) {
  if (!options.has(name) || options.has(other)) return {};
  return base::fail(fmt::format("{} has no effect without --{}", options.named(name), other));
}

base::Result<> check_embedded(const ServeOptions& options) {
  if (!options.embedded) return {};
  for (const ServeOption& option : serve_options()) {
    const bool for_workers = option.of_group || option.name == "processes" ||
                             option.name == "env-file" || option.name == "reload-on" ||
                             option.name == "service";
    if (!for_workers || !options.has(option.name)) continue;
    return base::fail(fmt::format("{} is for worker processes, and {} has none",
                                  options.named(option.name), options.named("embedded")));
  }
  return {};
}

base::Result<> check_tls(const ServeOptions& options) {
  PH_TRY_VOID(needs(options, "tls-key", "tls-cert"));
  for (const char* other : {"tls-cert", "tls-self-signed"}) {
    if (options.ssl_certificate.empty() || !options.has(other)) continue;
    return base::fail(fmt::format("{} and {} exclude each other", options.named("ssl-certificate"),
                                  options.named(other)));
  }
  PH_TRY_VOID(needs(options, "https-only", "https-port"));
  if (options.tls_self_signed && !options.tls_cert.empty()) {
    return base::fail(fmt::format("{} and {} exclude each other", options.named("tls-self-signed"),
                                  options.named("tls-cert")));
  }
  const bool has_certificate =
      options.tls_self_signed || !options.tls_cert.empty() || !options.ssl_certificate.empty();
  if (options.https_port != 0 && !has_certificate) {
    return base::fail(fmt::format("{} needs a certificate: --tls-cert, or --tls-self-signed",
                                  options.named("https-port")));
  }
  // httpd reads them before it changes its user, but an unreadable one is no matter of its log.
  for (const auto& [name, path] :
       {std::pair("tls-cert", &options.tls_cert), std::pair("tls-key", &options.tls_key)}) {
    if (!path->empty()) PH_TRY_VOID(require_file(options.named(name), *path));
  }
  if (options.ssl_certificate.empty()) return {};
  const std::string option = options.named("ssl-certificate");
  PH_TRY_VOID(require_file(option, options.ssl_certificate + ".crt"));
  return require_file(option, options.ssl_certificate + ".key");
}

base::Result<> check_listening(const ServeOptions& options) {
  for (const char* name : {"host", "port"}) {
    if (options.bind.empty() || !options.has(name)) continue;
    return base::fail(
        fmt::format("{} and {} exclude each other", options.named(name), options.named("bind")));
  }
  const bool has_unix = std::ranges::any_of(
      options.bind, [](const std::string& text) { return text.starts_with(kUnix); });
  if (has_unix && options.https_port != 0) {
    return base::fail(
        fmt::format("{} and a unix socket exclude each other", options.named("https-port")));
  }
  return check_tls(options);
}

base::Result<> check_replies(const ServeOptions& options) {
  for (const std::string& header : options.headers) {
    const auto colon = header.find(':');
    if (colon != header.npos && colon != 0 && header.find(' ') > colon) continue;
    return base::fail(
        fmt::format("{} '{}': 'NAME: VALUE' is needed", options.named("header"), header));
  }
  for (const auto& [status, url] : options.error_documents) {
    constexpr std::uint64_t kFirst = 400, kLast = 599;
    const auto number = base::parse_unsigned(status);
    if (number && *number >= kFirst && *number <= kLast) continue;
    return base::fail(fmt::format("{} {}={}: a status from 400 to 599 is needed",
                                  options.named("error-document"), status, url));
  }
  return needs(options, "trust-proxy-header", "trust-proxy");
}

base::Result<> check_other_urls(const ServeOptions& options) {
  for (const auto& [url, target] : options.proxies) {
    if (url.starts_with('/') && target.find("://") != target.npos) continue;
    return base::fail(fmt::format("{} {}={}: URL=URL is needed, such as /api=http://10.0.0.5:9000",
                                  options.named("proxy"), url, target));
  }
  if (!options.rewrite_rules.empty()) {
    PH_TRY_VOID(require_file(options.named("rewrite-rules"), options.rewrite_rules));
  }
  if (options.document_root.empty()) return {};
  return require_folder(options.named("document-root"), options.document_root);
}

base::Result<> check_reloading(const ServeOptions& options) {
  for (const char* other : {"reload", "reload-on"}) {
    if (!options.disable_reloading || !options.has(other)) continue;
    return base::fail(fmt::format("{} and {} exclude each other",
                                  options.named("disable-reloading"), options.named(other)));
  }
  return {};
}

base::Result<> check_logs(const ServeOptions& options) {
  PH_TRY_VOID(needs(options, "max-log-size", "rotate-logs"));
  if (!options.log_directory.empty()) {
    PH_TRY_VOID(require_folder(options.named("log-directory"), options.log_directory));
  }
  return {};
}

base::Result<> check_files(const ServeOptions& options) {
  if (!options.auth_file.empty()) {
    PH_TRY_VOID(require_file(options.named("auth-file"), options.auth_file));
  }
  if (!options.auth_user_script.empty()) {
    PH_TRY_VOID(require_file(options.named("auth-user-script"), options.auth_user_script));
  }
  for (const auto& [name, file] : options.services) {
    PH_TRY_VOID(require_file(options.named("service"), file));
  }
  for (const std::string& file : options.includes) {
    PH_TRY_VOID(require_file(options.named("include"), file));
  }
  if (!options.working_directory.empty()) {
    PH_TRY_VOID(require_folder(options.named("working-directory"), options.working_directory));
  }
  return {};
}

}  // namespace

base::Result<> check_options(const ServeOptions& options) {
  PH_TRY_VOID(check_embedded(options));
  PH_TRY_VOID(check_listening(options));
  PH_TRY_VOID(check_replies(options));
  PH_TRY_VOID(check_other_urls(options));
  PH_TRY_VOID(check_reloading(options));
  PH_TRY_VOID(check_logs(options));
  return check_files(options);
}

}  // namespace pyhost::serve
