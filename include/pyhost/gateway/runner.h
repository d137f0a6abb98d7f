// Whoever runs applications, and hook scripts.
#pragma once

#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/exchange.h"
#include "pyhost/gateway/outcome.h"
#include "pyhost/gateway/question.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

// Any thread that has a Python-sized stack (base::kPythonStackBytes).
class Runner {
 public:
  virtual ~Runner() = default;

  // Runs the target's application for one request. Blocks until the reply is complete or broken;
  // failures are logged to the exchange. The first call for an application group makes its
  // interpreter, the first for a script imports it.
  virtual Outcome run(const Target& target, Exchange& exchange) noexcept = 0;

  // Has the target's script answer: calls the function that the target names as callable, or, where
  // that is empty, those that the question is for. Failures are logged to the caller.
  virtual AskResult ask(const Target& target, const Question& question,
                        Caller& caller) noexcept = 0;
};

}  // namespace pyhost::gateway
