// OCSP responses as they are read, whatever is in them.
#include "net/tls/ocsp.h"

#include <gtest/gtest.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

namespace sluice::net::tls {
namespace {

struct Authority {
  KeyPtr key{EVP_EC_gen("P-256")};
  X509Ptr certificate = make(1, nullptr);

  X509Ptr make(long serial, const char* feature) const {
    X509Ptr out(X509_new());
    X509_set_version(out.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(out.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(out.get()), 3600);
    X509_set_pubkey(out.get(), key.get());
    if (feature != nullptr) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_tlsfeature, feature);
      X509_add_ext(out.get(), extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(out.get(), key.get(), EVP_sha256());
    return out;
  }

  // About these certificates. `next`: seconds from now; 0: it does not say.
  std::string answer(const std::vector<const X509*>& subjects, long next, int status = OCSP_RESPONSE_STATUS_SUCCESSFUL) const {
    OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
    ASN1_TIME* begins = X509_gmtime_adj(nullptr, -60);
    ASN1_TIME* ends = next == 0 ? nullptr : X509_gmtime_adj(nullptr, next);
    for (const X509* subject : subjects) {
      OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), subject, certificate.get());
      OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, begins, ends);
      OCSP_CERTID_free(id);
    }
    OCSP_basic_sign(basic, certificate.get(), key.get(), EVP_sha256(), nullptr, 0);
    OCSP_RESPONSE* response = OCSP_response_create(status, basic);
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_RESPONSE(response, &der);
    std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(begins);
    ASN1_TIME_free(ends);
    return out;
  }
};

struct OcspTest : ::testing::Test {
  std::string fault(std::string_view der) const {
    const auto read = OcspResponse::read(der, *leaf);
    return read ? "" : std::string(read.error());
  }
  Authority authority;
  X509Ptr leaf = authority.make(77, nullptr), other = authority.make(78, nullptr);
};

TEST_F(OcspTest, OneAnswerAboutThisCertificate) {
  const std::string good = authority.answer({leaf.get()}, 1000);
  const auto read = OcspResponse::read(good, *leaf);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->bytes, good);
  EXPECT_TRUE(read->expires && read->expires->us - read->valid_from.us == int64_t{1060} * 1'000'000);
  EXPECT_TRUE(read->valid({read->expires->us}));
  EXPECT_FALSE(read->valid({read->expires->us + 1}));

  EXPECT_NE(fault(authority.answer({other.get()}, 1000)).find("another certificate"), std::string::npos);
  EXPECT_NE(fault(authority.answer({leaf.get(), other.get()}, 1000)).find("another number"), std::string::npos);
  EXPECT_NE(fault(authority.answer({}, 1000)).find("another number"), std::string::npos);
  EXPECT_NE(fault(authority.answer({leaf.get()}, 1000, OCSP_RESPONSE_STATUS_TRYLATER)).find("trylater"), std::string::npos);
}

TEST_F(OcspTest, CutOrChangedOrLongerIsNoResponse) {
  const std::string good = authority.answer({leaf.get()}, 1000);
  for (size_t size = 0; size < good.size(); ++size) EXPECT_NE(fault(good.substr(0, size)), "") << size;
  EXPECT_NE(fault(good + "x"), "");
  for (size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    (void)fault(changed);  // whatever it is now: nothing is read out of bounds
  }
}

TEST_F(OcspTest, WithoutANextUpdateItIsOldAtOnce) {
  const auto read = OcspResponse::read(authority.answer({leaf.get()}, 0), *leaf);
  ASSERT_TRUE(read) << read.error();
  EXPECT_FALSE(read->valid(read->valid_from));
}

TEST_F(OcspTest, ACertificateMayDemandIt) {
  EXPECT_TRUE(must_staple(*authority.make(2, "status_request")));
  EXPECT_FALSE(must_staple(*authority.make(3, "17")));
  EXPECT_FALSE(must_staple(*leaf));
}

}  // namespace
}  // namespace sluice::net::tls
