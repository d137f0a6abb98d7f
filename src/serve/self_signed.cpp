#include "serve/self_signed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "serve/paths.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {
namespace {

constexpr char kProgram[] = "openssl";

std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const std::string& host : hosts) {
    const bool is_address =
        host.find_first_not_of("0123456789.") == host.npos || host.find(':') != host.npos;
    if (!host.empty()) names += fmt::format(",{}:{}", is_address ? "IP" : "DNS", host);
  }
  return "subjectAltName=" + names;
}

[[noreturn]] void become_openssl(const std::string& file, const std::string& names) {
  umask(077);
  StopSignals::restore_defaults();
  const int nowhere = open("/dev/null", O_RDWR);
  dup2(nowhere, STDIN_FILENO);
  dup2(nowhere, STDERR_FILENO);
  execlp(kProgram, kProgram, "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365", "-subj", "/CN=localhost",
         "-addext", names.c_str(), "-keyout", file.c_str(), "-out", (file + ".crt").c_str(),
         nullptr);
  _exit(errno == ENOENT ? 127 : 126);
}

}  // namespace

base::Result<> make_self_signed(const std::string& file, const std::vector<std::string>& hosts) {
  if (exists(file) && exists(file + ".crt")) return {};
  const std::string names = alternative_names(hosts);
  const pid_t child = fork();
  if (child < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) become_openssl(file, names);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  constexpr int kNotThere = 127;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotThere) {
    return base::fail(
        "--tls-self-signed needs the program openssl; install it, or give --tls-cert");
  }
  return base::fail(fmt::format("--tls-self-signed: openssl could not make {}", file));
}

}  // namespace pyhost::serve
