// From what a hook's function has returned to an answer.
#pragma once

#include <tl/expected.hpp>

#include <string>

#include "pyhost/base/messages.h"
#include "pyhost/gateway/question.h"
#include "python/attached.h"

namespace pyhost::hooks {

// What is wrong with it: goes on from "the function returned".
struct NoAnswer {
  base::Message message;
  std::string what;
};

// True, False and None are known by their identity: what is only like them is no answer. May run
// Python code of what was returned, and leaves no exception pending.
tl::expected<gateway::Answer, NoAnswer> answer_of(python::Attached& py,
                                                  gateway::QuestionKind question,
                                                  PyObject* returned);

// The name that one of dispatch's functions has returned; nothing for None.
tl::expected<std::optional<std::string>, NoAnswer> name_of(python::Attached& py,
                                                           PyObject* returned);

}  // namespace pyhost::hooks
