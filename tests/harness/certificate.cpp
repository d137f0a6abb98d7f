#include "harness/certificate.h"

#include <gtest/gtest.h>

#include "harness/process.h"
#include "harness/temp_dir.h"

namespace pyhost::test {
namespace {

std::string make_certificate(const TempDir& folder) {
  const std::string key = folder.path() + "/key.pem";
  const std::string certificate = folder.path() + "/certificate.pem";
  const std::string output = folder.path() + "/openssl.txt";
  Process openssl({.arguments = {"/usr/bin/openssl",
                                 "req",
                                 "-x509",
                                 "-newkey",
                                 "ec",
                                 "-pkeyopt",
                                 "ec_paramgen_curve:prime256v1",
                                 "-nodes",
                                 "-days",
                                 "2",
                                 "-subj",
                                 "/CN=localhost",
                                 "-addext",
                                 "subjectAltName=DNS:localhost,IP:127.0.0.1",
                                 "-addext",
                                 "basicConstraints=critical,CA:FALSE",
                                 "-keyout",
                                 key,
                                 "-out",
                                 certificate},
                   .environment = {{"PATH", "/usr/bin"}, {"HOME", folder.path()}},
                   .output_file = output});
  if (openssl.wait_status() != 0) ADD_FAILURE() << "openssl req: " << read_file(output);
  return folder.write("server.pem", read_file(certificate) + read_file(key));
}

}  // namespace

const std::string& test_certificate() {
  static const TempDir folder;
  static const std::string file = make_certificate(folder);
  return file;
}

}  // namespace pyhost::test
