// What httpd's child asks a hook script in a worker, and what that answers. As in messages.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/gateway/question.h"
#include "pyhost/gateway/request_head.h"
#include "pyhost/gateway/target.h"

namespace pyhost::wire {

// QUESTION. The process group does not travel, as for REQUEST.
struct QuestionMessage {
  gateway::Target target;
  gateway::Question question;
  bool last_resort = false;
};
// The memory is taken at once, so that no copy of a password is left where the text has grown.
[[nodiscard]] bool encode_question(const QuestionMessage& message, std::string& out);
// Like decode_request().
std::optional<QuestionMessage> decode_question(std::string_view payload,
                                               std::vector<gateway::EnvironEntry>& environ);

// ANSWER. What is decoded owns its texts, and may be anything: see gateway::check_answer(). False,
// and nothing appended, when it does not fit a frame.
[[nodiscard]] bool encode_answer(const gateway::Answer& answer, std::string& out);
std::optional<gateway::Answer> decode_answer(std::string_view payload);

}  // namespace pyhost::wire
