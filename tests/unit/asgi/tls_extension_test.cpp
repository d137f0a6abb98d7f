#include "asgi/tls_extension.h"

#include <gtest/gtest.h>

namespace pyhost::asgi {
namespace {

TEST(TlsExtension, NumbersVersionsAsTheyAreOnTheWire) {
  EXPECT_EQ(tls_version_of("TLSv1.3"), 0x0304);
  EXPECT_EQ(tls_version_of("TLSv1.2"), 0x0303);
  EXPECT_EQ(tls_version_of("TLSv9"), std::nullopt);
  EXPECT_EQ(tls_version_of(""), std::nullopt);
}

TEST(TlsExtension, NumbersCipherSuitesAsIanaDoes) {
  EXPECT_EQ(cipher_suite_of("TLS_AES_256_GCM_SHA384"), 0x1302);
  EXPECT_EQ(cipher_suite_of("ECDHE-RSA-AES128-GCM-SHA256"), 0xc02f);
  EXPECT_EQ(cipher_suite_of("AES256-SHA"), 0x0035);
  EXPECT_EQ(cipher_suite_of("ROT13"), std::nullopt);
}

TEST(TlsExtension, SaysWhatIsWrongWithAClientsCertificate) {
  EXPECT_EQ(client_cert_error_of("FAILED:certificate has expired"), "certificate has expired");
  EXPECT_EQ(client_cert_error_of("GENEROUS"), "it was not verified");
  EXPECT_EQ(client_cert_error_of("SUCCESS"), "");
  EXPECT_EQ(client_cert_error_of("NONE"), "");
}

}  // namespace
}  // namespace pyhost::asgi
