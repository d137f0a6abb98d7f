// A question to the supervisor of the httpd that runs, without waiting for the answer.
#pragma once

#include <optional>
#include <string>

#include "control/operator_request.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::serve {

// The supervisor answers one line and ends the connection.
class GroupCall {
 public:
  // Fails when no supervisor listens at the path, as it does before httpd has started it.
  static base::Result<GroupCall> begin(const std::string& socket,
                                       const control::OperatorRequest& request);

  // Readable when there is more of the answer.
  int fd() const noexcept { return connection_.get(); }
  // Reads what has come: the answer's line without its end, or nothing while it is under way. Fails
  // when the supervisor has ended without one.
  std::optional<base::Result<std::string>> read_answer();

 private:
  explicit GroupCall(base::UniqueFd connection) noexcept : connection_(std::move(connection)) {}

  base::UniqueFd connection_;
  std::string text_;
};

}  // namespace pyhost::serve
