#include "cli/operate.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/operator_connection.h"
#include "pyhost/gateway/operator_protocol.h"

namespace pyhost::cli {
namespace {

using Json = nlohmann::json;

long long now_us() {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

base::Result<int> run(const OperateOptions& options) {
  PH_TRY(answer, ask_supervisor(operator_socket(options), request_line(options)));
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object()) return base::fail("the supervisor's answer is no JSON object");
  if (json.contains("error")) return base::fail(printable(json.value("error", "")));
  if (json.contains("done")) {
    fmt::print("{}\n", printable(json.value("done", "")));
  } else if (options.json) {
    fmt::print("{}\n", answer);
  } else {
    PH_TRY(table, status_table(answer, now_us()));
    fmt::print("{}", table);
  }
  return 0;
}

}  // namespace

std::string operator_socket(const OperateOptions& options) {
  if (!options.socket.empty()) return options.socket;
  const std::string folder = options.server_root.empty() ? PYHOST_RUNTIME_DIR : options.server_root;
  return fmt::format("{}/{}{}", folder, gateway::kDefaultSocketName,
                     gateway::kOperatorSocketSuffix);
}

std::string request_line(const OperateOptions& options) {
  Json request{{"command", options.command}, {"wait", options.wait}};
  if (!options.group.empty()) request["group"] = options.group;
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      shown += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += c;
    }
  }
  return shown;
}

int operate(const OperateOptions& options) {
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::cli
