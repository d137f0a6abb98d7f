// The border to an engine plugin: a shared object with an engine for one version of CPython.
#pragma once

#include <memory>

#include "pyhost/base/log.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/build_id.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

// What the engine of a plugin can do.
struct Capabilities {
  bool wsgi = false;           // Protocol::wsgi
  bool asgi = false;           // Protocol::asgi and asgi2, and telling them from WSGI
  bool own_lock = false;       // each of its interpreters has a lock to itself
  bool free_threaded = false;  // there is no such lock

  constexpr bool speaks(Protocol protocol) const noexcept {
    return protocol == Protocol::wsgi ? wsgi : asgi;
  }
};

// What a plugin exports, as the C function kEnginePluginSymbol returning const EnginePlugin*. Host
// and plugin are one build: `build` must be equal on both sides before anything else is used.
// Loading a plugin runs no Python and makes no thread; open() does both.
struct EnginePlugin {
  const char* build;  // kBuildId
  const char* abi;    // "3.11": the version of the headers it was built with
  Capabilities capabilities;
  // Starts Python in this process. `server_log` outlives the engine. At most one engine lives in
  // a process, and none after it was stopped.
  base::Result<std::unique_ptr<Engine>> (*open)(EngineSettings settings, base::LogSink& server_log);
};

inline constexpr char kEnginePluginSymbol[] = "pyhost_engine_plugin";

}  // namespace pyhost::gateway
