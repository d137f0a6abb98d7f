// A request as functions of the module mod_wsgi see it.
#pragma once

#include <span>

#include "pyhost/gateway/exchange.h"
#include "python/request_data.h"
#include "python/request_notes.h"

namespace pyhost::python {

// What an application serves: reached through the context of its code (RequestContext).
class ServedRequest {
 public:
  // Attached: the interpreter's lock protects these.
  virtual RequestNotes& notes() noexcept = 0;
  virtual RequestData& data() noexcept = 0;
  virtual const gateway::RequestHead& head() const noexcept = 0;
  // The head of the reply is on its way.
  virtual bool committed() const noexcept = 0;

  // Detached; these may block.
  virtual void log(base::LogLevel level, std::string_view text) noexcept = 0;
  virtual bool client_gone() noexcept = 0;
  // PRECONDITION: check_early_hints() has nothing against them. Behind the head they are dropped.
  virtual void send_early_hints(std::span<const gateway::Header> headers) noexcept = 0;

 protected:
  ~ServedRequest() = default;
};

}  // namespace pyhost::python
