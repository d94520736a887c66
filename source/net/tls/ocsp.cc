#include "net/tls/ocsp.h"

#include <openssl/asn1.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/strings.h"

namespace sluice::net::tls {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Freed<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Freed<OCSP_BASICRESP_free>>;

constexpr long kMustStaple = 5;  // the TLS feature that a certificate may demand

std::optional<WallTime> time_of(const ASN1_GENERALIZEDTIME* time) {
  tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return WallTime{int64_t{timegm(&parts)} * 1'000'000};
}

}  // namespace

Result<OcspResponse> OcspResponse::read(std::string_view der, const X509& certificate) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const bool whole = response != nullptr && at == reinterpret_cast<const unsigned char*>(der.data()) + der.size();
  if (!whole) return Error{cat("is no OCSP response: ", take_error_words())};
  if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return Error{
        cat("is an OCSP response without success: ", OCSP_response_status_str(OCSP_response_status(response.get())))};
  }
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (basic == nullptr) return Error{cat("is an OCSP response of another type than basic: ", take_error_words())};
  if (OCSP_resp_count(basic.get()) != 1)
    return Error{"is an OCSP response for another number of certificates than one"};
  OCSP_SINGLERESP* const single = OCSP_resp_get0(basic.get(), 0);
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
  if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(&certificate)) != 0) {
    return Error{"is an OCSP response for another certificate"};
  }
  ASN1_GENERALIZEDTIME *begins = nullptr, *ends = nullptr;
  (void)OCSP_single_get0_status(single, nullptr, nullptr, &begins, &ends);
  const auto valid_from = time_of(begins);
  if (!valid_from) return Error{"is an OCSP response without a time"};
  return OcspResponse{std::string(der), *valid_from, time_of(ends)};
}

bool must_staple(const X509& certificate) {
  auto* const features = static_cast<TLS_FEATURE*>(X509_get_ext_d2i(&certificate, NID_tlsfeature, nullptr, nullptr));
  if (features == nullptr) return false;
  bool found = false;
  for (int i = 0; i < sk_ASN1_INTEGER_num(features); ++i) {
    found |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == kMustStaple;
  }
  TLS_FEATURE_free(features);
  return found;
}

Staple staple_of(StaplePolicy policy, const OcspResponse* response, WallTime now) {
  if (response != nullptr && response->valid(now)) return Staple::kGiven;
  switch (policy) {
    case StaplePolicy::kLenient:
      break;
    case StaplePolicy::kStrict:
      return response != nullptr ? Staple::kFailed : Staple::kOmitted;
    case StaplePolicy::kMust:
      return Staple::kFailed;
  }
  return Staple::kOmitted;
}

}  // namespace sluice::net::tls
