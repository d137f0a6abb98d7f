// Where the server listens, and what it speaks there.
#include "serve/config_lines.h"
#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

std::string listen_word(const ListenAddress& address) {
  return address.host.empty() ? fmt::to_string(address.port)
                              : host_and_port(address.host, address.port);
}

// httpd refuses an IPv6 address there.
std::string server_name(const ConfigSource& source, int port) {
  std::string host = source.options.server_name;
  const ListenAddress& first = source.plan.addresses.front();
  // The port of what stands for a unix socket is nobody's.
  if (first.is_unix()) return host.empty() ? "localhost" : host;
  if (host.empty()) host = first.host;
  const bool is_name = !host.empty() && host.find(':') == host.npos;
  return fmt::format("{}:{}", is_name ? host : "localhost", port);
}

void write_tls(ConfigLines& lines, const ConfigSource& source) {
  lines.heading("https");
  lines.load("socache_shmcb");
  lines.load("ssl");
  lines.line("SSLSessionCache none");
  lines.line("SSLProtocol -all +TLSv1.2 +TLSv1.3");
  lines.line("SSLCertificateFile {}", config_word(source.plan.tls_cert));
  if (!source.plan.tls_key.empty()) {
    lines.line("SSLCertificateKeyFile {}", config_word(source.plan.tls_key));
  }
  lines.line("SSLEngine On");
}

// What clients of the other port get: the same, or a word to come here.
void write_plain_port(ConfigLines& lines, const ConfigSource& source) {
  const int plain = source.plan.addresses.front().port;
  const int port = source.options.https_port;
  lines.line("<VirtualHost *:{}>", plain);
  lines.line("  ServerName {}", server_name(source, plain));
  lines.line("  SSLEngine Off");
  if (source.options.https_only) {
    lines.load("alias");
    std::string target = server_name(source, port);
    constexpr std::string_view kUsualPort = ":443";
    if (target.ends_with(kUsualPort)) target.resize(target.size() - kUsualPort.size());
    lines.line("  Redirect permanent / {}", config_word(fmt::format("https://{}/", target)));
  }
  lines.line("</VirtualHost>");
}

}  // namespace

void write_listening(ConfigLines& lines, const ConfigSource& source) {
  const ServeOptions& options = source.options;
  lines.heading("Listening");
  if (source.plan.adopts_sockets() && !source.site.runs_python()) {
    lines.line("# It brings the sockets that are there already.");
    lines.line("LoadModule wsgi_module {}", config_word(source.plan.module_file));
  }
  const bool two_ports = source.plan.speaks_tls() && options.https_port != 0;
  const ListenAddress& first = source.plan.addresses.front();
  lines.line("ServerName {}", server_name(source, two_ports ? options.https_port : first.port));
  for (const ListenAddress& address : source.plan.addresses) {
    lines.line("Listen {}", listen_word(address));
  }
  if (two_ports) lines.line("Listen {}", listen_word({first.host, options.https_port}));
  if (options.http2) {
    lines.load("http2");
    lines.line("Protocols h2 h2c http/1.1");
  }
  if (source.plan.speaks_tls()) write_tls(lines, source);
  if (two_ports) {
    if (options.https_only) lines.load("alias");
    write_plain_port(lines, source);
  }
}

}  // namespace pyhost::serve
