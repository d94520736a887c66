#include "net/tls/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/strings.h"
#include "net/address.h"

namespace sluice::net::tls {

namespace {

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string address_text(const ASN1_STRING* octets) {
  const std::string bytes = text_of(octets);
  if (bytes.size() == 4) {
    const auto* b = reinterpret_cast<const unsigned char*>(bytes.data());
    return cat(unsigned{b[0]}, ".", unsigned{b[1]}, ".", unsigned{b[2]}, ".", unsigned{b[3]});
  }
  if (bytes.size() == 16) {
    std::string text;
    const auto* b = reinterpret_cast<const unsigned char*>(bytes.data());
    for (int i = 0; i < 16; i += 2) {
      char group[8];
      std::snprintf(group, sizeof(group), "%s%x", i == 0 ? "" : ":", b[i] << 8 | b[i + 1]);
      text += group;
    }
    auto address = Address::from_ip(text, 0);  // gives the short writing
    return address ? address->ip_to_string() : text;
  }
  return bytes;
}

std::string object_text(const ASN1_OBJECT* object) {
  char text[128];
  const int size = OBJ_obj2txt(text, sizeof(text), object, 1);
  return std::string(text, static_cast<size_t>(std::clamp(size, 0, static_cast<int>(sizeof(text) - 1))));
}

// What an other name holds, when it is some kind of text.
std::string other_text(const ASN1_TYPE* value) {
  switch (value->type) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_T61STRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_OCTET_STRING:
      return text_of(value->value.asn1_string);
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING: {
      unsigned char* utf8 = nullptr;
      const int size = ASN1_STRING_to_UTF8(&utf8, value->value.asn1_string);
      std::string text =
          size > 0 ? std::string(reinterpret_cast<char*>(utf8), static_cast<size_t>(size)) : std::string();
      OPENSSL_free(utf8);
      return text;
    }
    default:
      return {};
  }
}

std::string name_text(const X509_NAME* name) {
  BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

template <size_t N>
std::array<unsigned char, N> digest_of(const X509& certificate, const EVP_MD* md) {
  std::array<unsigned char, N> out{};
  unsigned size = 0;
  X509_digest(&certificate, md, out.data(), &size);
  return out;
}

WallTime wall_time(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return {};
  }
  ASN1_TIME* epoch = ASN1_TIME_set(nullptr, 0);
  int days = 0, seconds = 0;
  ASN1_TIME_diff(&days, &seconds, epoch, time);
  ASN1_TIME_free(epoch);
  return {(int64_t{days} * 86400 + seconds) * 1'000'000};
}

}  // namespace

std::string_view name_of(SanType type) {
  switch (type) {
    case SanType::kEmail:
      return "EMAIL";
    case SanType::kDns:
      return "DNS";
    case SanType::kUri:
      return "URI";
    case SanType::kIp:
      return "IP_ADDRESS";
    case SanType::kOther:
      return "OTHER_NAME";
  }
  return "";
}

std::string to_hex(const unsigned char* bytes, size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::vector<San> sans_of(const X509& certificate) {
  std::vector<San> out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) {
    ERR_clear_error();
    return out;
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    switch (name->type) {
      case GEN_EMAIL:
        out.push_back({SanType::kEmail, text_of(name->d.rfc822Name), {}});
        break;
      case GEN_DNS:
        out.push_back({SanType::kDns, text_of(name->d.dNSName), {}});
        break;
      case GEN_URI:
        out.push_back({SanType::kUri, text_of(name->d.uniformResourceIdentifier), {}});
        break;
      case GEN_IPADD:
        out.push_back({SanType::kIp, address_text(name->d.iPAddress), {}});
        break;
      case GEN_OTHERNAME:
        out.push_back({SanType::kOther, other_text(name->d.otherName->value), object_text(name->d.otherName->type_id)});
        break;
      default:
        break;
    }
  }
  GENERAL_NAMES_free(names);
  return out;
}

std::string joined_sans(const X509& certificate, SanType type) {
  std::string out;
  for (const San& san : sans_of(certificate)) {
    if (san.type == type) {
      append(out, out.empty() ? "" : ",", san.text);
    }
  }
  return out;
}

std::string subject_of(const X509& certificate) { return name_text(X509_get_subject_name(&certificate)); }
std::string issuer_of(const X509& certificate) { return name_text(X509_get_issuer_name(&certificate)); }

std::string serial_of(const X509& certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr);
  std::string text;
  if (number != nullptr) {
    std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
    text = bytes.empty() ? "00" : to_hex(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    BN_free(number);
  }
  return text;
}

Digest sha256_of(const X509& certificate) { return digest_of<32>(certificate, EVP_sha256()); }

std::string sha256_hex(const X509& certificate) {
  const Digest digest = sha256_of(certificate);
  return to_hex(digest.data(), digest.size());
}

std::string sha1_hex(const X509& certificate) {
  const auto digest = digest_of<20>(certificate, EVP_sha1());
  return to_hex(digest.data(), digest.size());
}

Digest spki_sha256_of(const X509& certificate) {
  Digest out{};
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  if (size > 0) {
    EVP_Digest(der, static_cast<size_t>(size), out.data(), nullptr, EVP_sha256(), nullptr);
  }
  OPENSSL_free(der);
  return out;
}

std::string url_encoded_pem(const X509& certificate) {
  BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), const_cast<X509*>(&certificate));
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  std::string text;
  text.reserve(static_cast<size_t>(size) + static_cast<size_t>(size) / 4);
  for (const char c : std::string_view(data, static_cast<size_t>(size))) {
    // Envoy replaces exactly these.
    switch (c) {
      case '\n':
        text += "%0A";
        break;
      case ' ':
        text += "%20";
        break;
      case '+':
        text += "%2B";
        break;
      case '/':
        text += "%2F";
        break;
      case '=':
        text += "%3D";
        break;
      default:
        text += c;
    }
  }
  return text;
}

WallTime valid_from(const X509& certificate) { return wall_time(X509_get0_notBefore(&certificate)); }
WallTime valid_until(const X509& certificate) { return wall_time(X509_get0_notAfter(&certificate)); }

std::string common_name(const X509& certificate) {
  const X509_NAME* name = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), NID_commonName, -1);
  return at < 0 ? std::string() : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
  ERR_clear_error();
  std::vector<X509Ptr> out;
  const BioPtr in = reader_of(pem);
  while (true) {
    X509Ptr one(PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr));
    if (one == nullptr) {
      break;
    }
    out.push_back(std::move(one));
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (out.empty() || !at_end) {
    return Error{at_end ? std::string("no certificate in PEM form") : take_error_words()};
  }
  ERR_clear_error();
  return out;
}

Result<KeyPtr> read_key(const std::string& pem, const std::string& password) {
  const BioPtr in = reader_of(pem);
  const auto give_password = [](char* to, int size, int, void* user) -> int {
    const auto& text = *static_cast<const std::string*>(user);
    const int count = std::min(size, static_cast<int>(text.size()));
    std::memcpy(to, text.data(), static_cast<size_t>(count));
    return count;
  };
  KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, give_password, const_cast<std::string*>(&password)));
  if (key == nullptr) {
    return Error{take_error_words()};
  }
  ERR_clear_error();
  return key;
}

CertificateDetails details_of(const X509& certificate, std::string_view path) {
  CertificateDetails out;
  out.path = path;
  out.serial = serial_of(certificate);
  out.valid_from = valid_from(certificate);
  out.valid_until = valid_until(certificate);
  const auto add = [&](SanType type, std::string_view word) {
    for (const San& san : sans_of(certificate)) {
      if (san.type == type) {
        out.sans.emplace_back(word, san.text);
      }
    }
  };
  add(SanType::kDns, "dns");
  add(SanType::kUri, "uri");
  add(SanType::kIp, "ip_address");
  return out;
}

}  // namespace sluice::net::tls
