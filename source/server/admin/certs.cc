// /certs: the certificates in use.
#include <algorithm>

#include "base/civil_time.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {

namespace {

constexpr int64_t kDay = int64_t{86400} * 1'000'000;

std::string time_text(WallTime time) {
  std::string out;
  append_time(out, "%Y-%m-%dT%H:%M:%SZ", utc(time));
  return out;
}

void show(JsonWriter& json, const net::tls::CertificateDetails& certificate, WallTime now) {
  json.begin_map();
  json.text("path", certificate.path);
  json.text("serial_number", certificate.serial);
  json.begin_list("subject_alt_names");
  for (const auto& [kind, name] : certificate.sans) {
    json.begin_map();
    json.text(kind, name);
    json.end_map();
  }
  json.end_list();
  const int64_t left = std::max<int64_t>(0, certificate.valid_until.us - now.us);
  json.number_text("days_until_expiration", static_cast<uint64_t>(left / kDay));
  json.text("valid_from", time_text(certificate.valid_from));
  json.text("expiration_time", time_text(certificate.valid_until));
  if (certificate.ocsp) {
    json.begin_map("ocsp_details");
    json.text("valid_from", time_text(certificate.ocsp->valid_from));
    json.text("expiration", time_text(certificate.ocsp->expires));
    json.end_map();
  }
  json.end_map();
}

}  // namespace

void certs_page(const Request&, AdminSource& source, Reply& reply) {
  JsonWriter json;
  const WallTime now = source.wall_now();
  json.begin_map();
  json.begin_list("certificates");
  for (const net::tls::ContextDetails& context : source.certificates()) {
    json.begin_map();
    json.begin_list("ca_cert");
    for (const auto& ca : context.ca) {
      show(json, ca, now);
    }
    json.end_list();
    json.begin_list("cert_chain");
    for (const auto& chain : context.chains) {
      for (const auto& certificate : chain) {
        show(json, certificate, now);
      }
    }
    json.end_list();
    json.end_map();
  }
  json.end_list();
  json.end_map();
  reply.content_type = kJson;
  reply.body = json.take();
}

}  // namespace sluice::server::admin
