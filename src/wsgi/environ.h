// Builds the environ dictionary.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/request_head.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::wsgi {

// What is the same in the environ of every request.
struct EnvironConstants {
  PyObject* file_wrapper_type;
  PyObject* early_hints;
  PyObject* client_disconnected;
};

// One per interpreter. Keys are interned once; what no request changes comes from a template that
// is copied; a value that is the same as last time, such as a host name or a browser's headers, is
// the same str object again.
class EnvironFactory {
 public:
  static base::Result<EnvironFactory> make(python::Attached& py,
                                           const gateway::EngineSettings& settings,
                                           const EnvironConstants& constants);

  // A new dictionary with everything but what the request's own objects are; null with an exception
  // pending. The application is called at `start_us`, in microseconds since the epoch.
  python::Ref build(python::Attached& py, const gateway::RequestHead& head, std::int64_t start_us);
  // Adds wsgi.input and wsgi.errors. False with an exception pending.
  bool add_streams(python::Attached& py, PyObject* environ, PyObject* input,
                   PyObject* errors) const;
  // The key REMOTE_USER.
  PyObject* user_key() const noexcept {
    return keys_[std::size_t(gateway::EnvironKey::remote_user)].get();
  }
  // wsgi.errors and no input, for who is not to read the request's body.
  bool add_errors_only(python::Attached& py, PyObject* environ, PyObject* errors) const;

 private:
  EnvironFactory() = default;

  bool fill_template(const gateway::EngineSettings& settings, const EnvironConstants& constants);
  bool add(PyObject* environ, const gateway::EnvironEntry& entry);
  python::Ref value_of(const gateway::EnvironEntry& entry);

  std::array<python::Ref, gateway::kEnvironKeyCount> keys_;
  std::array<python::Ref, gateway::kEnvironKeyCount> last_values_;
  python::Ref template_;
  python::Ref url_scheme_key_, http_, https_;
  python::Ref input_key_, errors_key_;
  python::Ref request_start_key_, queue_start_key_, daemon_start_key_, application_start_key_;
  python::Ref thread_id_key_;
};

}  // namespace pyhost::wsgi
