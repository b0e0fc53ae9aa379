#include "grpc/credentials.h"

#include <grpc/grpc_security.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "grpc/hand_over.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace efl {
namespace {

grpc_ssl_client_certificate_request_type RequestType(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::kRequire:
      return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientAuth::kRequest:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    default:
      return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  }
}

// What the handshakes of servers fetch. By number: gRPC may ask once more for a server that is
// gone.
class Fetched {
 public:
  static Fetched& Instance() {
    static auto& instance = *new Fetched;
    return instance;
  }

  uintptr_t Add(TlsFilesPtr files) {
    std::lock_guard<std::mutex> lock(mutex_);
    sources_[++last_].files = std::move(files);
    return last_;
  }
  void Remove(uintptr_t number) {
    std::lock_guard<std::mutex> lock(mutex_);
    sources_.erase(number);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* number, grpc_ssl_server_certificate_config** config) {
    return Instance().FetchFor(reinterpret_cast<uintptr_t>(number), config);
  }

 private:
  struct Source {
    TlsFilesPtr files;
    TlsFiles::Identity given;
  };

  grpc_ssl_certificate_config_reload_status FetchFor(uintptr_t number,
                                                     grpc_ssl_server_certificate_config** config) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = sources_.find(number);
    if (found == sources_.end()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    Source& source = found->second;
    const TlsFiles::Identity now = source.files->now();
    if (now == source.given) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    source.given = now;
    const grpc_ssl_pem_key_cert_pair mine{now->my_key.c_str(), now->my_certs.c_str()};
    *config = grpc_ssl_server_certificate_config_create(
        now->peer_certs.empty() ? nullptr : now->peer_certs.c_str(), &mine, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  std::mutex mutex_;
  std::map<uintptr_t, Source> sources_;
  uintptr_t last_ = 0;
};

class ReloadingCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadingCredentials(const TlsFilesPtr& files)
      : number_(Fetched::Instance().Add(files)),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                RequestType(files->now()->client_auth), &Fetched::Fetch,
                reinterpret_cast<void*>(number_)))) {}
  ~ReloadingCredentials() override {
    grpc_server_credentials_release(credentials_);
    Fetched::Instance().Remove(number_);
  }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& processor) override {
    (void)processor;  // nobody has one
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  const uintptr_t number_;
  grpc_server_credentials* const credentials_;
};

class ServerVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit ServerVerifier(CheckServer check) : check_(std::move(check)) { HandOver(this); }
  // On whichever thread gRPC is done with its channel.
  ~ServerVerifier() override { TakeOver(this); }

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* status) override {
    TakeOver(this);
    Judge(request, status);
    HandOver(this);
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  void Judge(grpc::experimental::TlsCustomVerificationCheckRequest* request, grpc::Status* status) {
    host_name_.Verify(request, nullptr, status);
    if (!status->ok() || check_ == nullptr) return;
    const grpc::string_ref pem = request->peer_cert();
    const Status wrong = check_(DescribeCertificate(std::string(pem.data(), pem.size())));
    if (!wrong.ok()) *status = {grpc::StatusCode::UNAUTHENTICATED, wrong.message()};
  }

  const CheckServer check_;
  grpc::experimental::HostNameCertificateVerifier host_name_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ServerCredentialsOf(const TlsFilesPtr& files) {
  if (!files->now()->server_on()) return grpc::InsecureServerCredentials();
  return std::make_shared<ReloadingCredentials>(files);
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const TlsIdentity& identity,
                                                               const CheckServer& check) {
  namespace tls = grpc::experimental;
  if (!identity.client_on()) return grpc::InsecureChannelCredentials();
  tls::TlsChannelCredentialsOptions options;
  std::vector<tls::IdentityKeyCertPair> mine;
  if (identity.server_on()) mine.push_back({identity.my_key, identity.my_certs});
  options.set_certificate_provider(
      std::make_shared<tls::StaticDataCertificateProvider>(identity.peer_certs, mine));
  options.watch_root_certs();
  if (!mine.empty()) options.watch_identity_key_cert_pairs();
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<ServerVerifier>(check));
  return tls::TlsCredentials(options);
}

}  // namespace efl
