//! The bucket against the S3 of MiniStack, with IAM enforced.

use aws_credential_types::Credentials;
use test_support::MiniStack;

use super::*;
use crate::artifact::package;
use crate::cloud::LocalEndpoint;
use crate::environment::Architecture;

/// MiniStack's root account.
const ACCOUNT: &str = "000000000000";

async fn connect(ministack: &MiniStack, environment: &Environment) -> Cloud {
    let endpoint = LocalEndpoint {
        url: ministack.url(),
        credentials: Credentials::new("test", "test", None, None, "test"),
    };
    Cloud::connect(environment, Some(endpoint)).await.unwrap()
}

fn environment(more: &str) -> Environment {
    let yaml = format!(
        "cloud: local\nregion: eu-central-1\nstackName: scim\nconnect: {{ instanceId: 11111111-2222-3333-4444-555555555555 }}\n{more}"
    );
    serde_yaml::from_str(&yaml).unwrap()
}

fn artifacts(directory: &std::path::Path) -> Artifacts {
    let packages = ["alpha", "beta"]
        .map(|function| {
            let zip = package::pack(function.repeat(10_000).as_bytes()).unwrap();
            let path = directory.join(format!("{function}.zip"));
            std::fs::write(&path, &zip).unwrap();
            Package {
                function: function.to_owned(),
                path,
                size: zip.len() as u64,
                sha256: Sha256::of(&zip),
            }
        })
        .into();
    Artifacts {
        directory: directory.to_owned(),
        architecture: Architecture::X86_64,
        inputs: Sha256::of(b"sources"),
        packages,
    }
}

fn functions(packages: &[&Package]) -> Vec<String> {
    packages
        .iter()
        .map(|package| package.function.clone())
        .collect()
}

#[tokio::test]
async fn packages_are_uploaded_once_into_a_bucket_made_on_first_use() {
    let ministack = MiniStack::shared();
    let environment = environment("");
    let cloud = connect(&ministack, &environment).await;
    let directory = tempfile::tempdir().unwrap();
    let artifacts = artifacts(directory.path());

    let bucket = Bucket::open(&cloud, &environment).await.unwrap();
    assert_eq!(
        bucket.name(),
        format!("connect-scim-artifacts-{ACCOUNT}-eu-central-1")
    );
    let uploaded = bucket.upload(&artifacts).await.unwrap();
    assert_eq!(functions(&uploaded), ["alpha", "beta"]);
    for package in artifacts.packages() {
        let object = bucket
            .client
            .get_object()
            .bucket(bucket.name())
            .key(package.key())
            .send()
            .await
            .unwrap();
        let content = object.body.collect().await.unwrap().to_vec();
        assert_eq!(content, package.read().unwrap());
    }

    let again = Bucket::open(&cloud, &environment).await.unwrap();
    assert!(again.upload(&artifacts).await.unwrap().is_empty());

    is_set_up(&again).await;

    let url = again.upload_template("Resources: {}").await.unwrap();
    assert_eq!(
        url,
        format!(
            "{}/{}/templates/{}.template",
            ministack.url(),
            again.name(),
            Sha256::of(b"Resources: {}")
        )
    );
    assert_eq!(again.upload_template("Resources: {}").await.unwrap(), url);

    a_half_made_bucket_is_finished(&again, &cloud, &environment).await;
    an_object_that_is_not_whole_is_uploaded_again(&again, &artifacts).await;
    a_package_changed_on_disk_is_not_uploaded(&again, artifacts).await;
    a_named_bucket_must_exist(&ministack).await;
}

async fn is_set_up(bucket: &Bucket) {
    let client = &bucket.client;
    let block = client
        .get_public_access_block()
        .bucket(&bucket.name)
        .send()
        .await
        .unwrap();
    let block = block.public_access_block_configuration().unwrap();
    assert_eq!(block.block_public_acls(), Some(true));
    assert_eq!(block.ignore_public_acls(), Some(true));
    assert_eq!(block.block_public_policy(), Some(true));
    assert_eq!(block.restrict_public_buckets(), Some(true));
    let versioning = client
        .get_bucket_versioning()
        .bucket(&bucket.name)
        .send()
        .await
        .unwrap();
    assert_eq!(versioning.status(), Some(&BucketVersioningStatus::Enabled));
    let encryption = client
        .get_bucket_encryption()
        .bucket(&bucket.name)
        .send()
        .await
        .unwrap();
    let rules = encryption
        .server_side_encryption_configuration()
        .unwrap()
        .rules();
    let algorithm = rules[0]
        .apply_server_side_encryption_by_default()
        .unwrap()
        .sse_algorithm();
    assert_eq!(algorithm, &ServerSideEncryption::Aes256);
    let policy = client
        .get_bucket_policy()
        .bucket(&bucket.name)
        .send()
        .await
        .unwrap();
    assert!(policy.policy().unwrap().contains("aws:SecureTransport"));
}

async fn a_half_made_bucket_is_finished(bucket: &Bucket, cloud: &Cloud, environment: &Environment) {
    bucket
        .client
        .delete_bucket_policy()
        .bucket(&bucket.name)
        .send()
        .await
        .unwrap();
    let finished = Bucket::open(cloud, environment).await.unwrap();
    assert!(finished.has_policy().await.unwrap());
}

async fn an_object_that_is_not_whole_is_uploaded_again(bucket: &Bucket, artifacts: &Artifacts) {
    bucket
        .client
        .put_object()
        .bucket(&bucket.name)
        .key(artifacts.packages[1].key())
        .body(ByteStream::from_static(b"half"))
        .send()
        .await
        .unwrap();
    let uploaded = bucket.upload(artifacts).await.unwrap();
    assert_eq!(functions(&uploaded), ["beta"]);
}

async fn a_package_changed_on_disk_is_not_uploaded(bucket: &Bucket, mut artifacts: Artifacts) {
    artifacts.packages[0].sha256 = Sha256::of(b"what was built");
    let error = bucket.upload(&artifacts).await.unwrap_err();
    assert!(
        matches!(error, UploadError::Artifact(Error::Tampered { .. })),
        "{error:?}"
    );
}

async fn a_named_bucket_must_exist(ministack: &MiniStack) {
    let environment = environment("artifacts: { bucket: not-there }");
    let cloud = connect(ministack, &environment).await;
    let error = Bucket::open(&cloud, &environment).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the artifact bucket not-there does not exist"
    );
}

#[test]
fn the_policy_names_the_partition_of_the_region() {
    assert!(tls_only("b", "eu-central-1").contains("\"arn:aws:s3:::b/*\""));
    assert!(tls_only("b", "us-gov-west-1").contains("\"arn:aws-us-gov:s3:::b\""));
    assert!(tls_only("b", "cn-north-1").contains("\"arn:aws-cn:s3:::b\""));
}
