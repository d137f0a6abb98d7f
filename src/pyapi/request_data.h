// The data of requests that applications ask for.
#pragma once

#include <string_view>
#include <vector>

#include "pyhost/gateway/request_head.h"
#include "python/attached.h"
#include "python/log_stream.h"
#include "python/ref.h"
#include "python/request_data.h"

namespace pyhost::pyapi {

// The requests that run in an interpreter, whose lock protects it. Once the dictionary
// mod_wsgi.active_requests is asked for, it is kept: {request_id: request_data}. Those that have no
// id are not in it.
class ActiveRequests {
 public:
  // A request while an application serves it. Head and data outlive it.
  class Entry {
   public:
    Entry(python::Attached& py, ActiveRequests& all, const gateway::RequestHead& head,
          python::RequestData& data);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // It is one no more, and its data ends. Once.
    void leave(python::Attached& py) noexcept;

   private:
    friend ActiveRequests;

    // False with an exception pending.
    bool add_to(python::Attached& py, PyObject* dictionary);

    ActiveRequests& all_;
    const gateway::RequestHead& head_;
    python::RequestData& data_;
    python::Ref id_;
  };

  // One for a scope of the thread that serves it.
  class Scope {
   public:
    Scope(python::Attached& py, ActiveRequests& all, const gateway::RequestHead& head,
          python::RequestData& data)
        : py_(py), entry_(py, all, head, data) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { entry_.leave(py_); }

   private:
    python::Attached& py_;
    Entry entry_;
  };

  // Null with an exception pending.
  python::Ref dictionary(python::Attached& py);

 private:
  std::vector<Entry*> entries_;
  python::Ref dictionary_;
};

// The id of the request in httpd's logs; "" when it has none.
std::string_view id_of(const gateway::RequestHead& head) noexcept;
// That of the trace it belongs to; "" when it belongs to none.
std::string_view trace_id_of(const gateway::RequestHead& head) noexcept;

// Adds to the module `mod_wsgi`:
//   request_data() -> dict    of the request that the calling context belongs to; RuntimeError when
//                             there is none
// False with an exception pending.
bool add_request_data(python::Attached& py, PyObject* module, const python::LogStreams& streams);

}  // namespace pyhost::pyapi
