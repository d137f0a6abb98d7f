#include "cli/operate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/printable.h"
#include "cli/operator_connection.h"
#include "control/operator_protocol.h"

namespace pyhost::cli {
namespace {

using Json = nlohmann::json;

base::Result<int> run(const OperateOptions& options) {
  PH_TRY(answer, ask_supervisor(operator_socket(options), request_line(options)));
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object()) return base::fail("the supervisor's answer is no JSON object");
  if (json.contains("error")) return base::fail(base::printable(json.value("error", "")));
  if (json.contains("done")) {
    fmt::print("{}\n", base::printable(json.value("done", "")));
  } else if (options.json) {
    // ASCII only, as applications have a say in its texts.
    fmt::print("{}\n", nlohmann::ordered_json::parse(answer).dump(-1, ' ', true));
  } else {
    PH_TRY(table, status_table(answer, base::now_us()));
    fmt::print("{}", table);
  }
  return 0;
}

}  // namespace

std::string operator_socket(const OperateOptions& options) {
  if (!options.socket.empty()) return options.socket;
  const std::string folder = options.server_root.empty() ? PYHOST_RUNTIME_DIR : options.server_root;
  return fmt::format("{}/{}{}", folder, control::kDefaultSocketName,
                     control::kOperatorSocketSuffix);
}

std::string request_line(const OperateOptions& options) {
  Json request{{"command", options.command}, {"wait", options.wait}};
  if (!options.group.empty()) request["group"] = options.group;
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int operate(const OperateOptions& options) {
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::cli
