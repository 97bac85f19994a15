//! A run with a cache: what the last run found equal is not compared again while the directory
//! stays the same.

use jiff::Timestamp;

use super::{Error, Options, Progress, Report, carry_out, compare_desired, requested};
use crate::cache::{Agreement, Cache, Digest, DirectoryMark, ReadDirectory};
use crate::configuration::{self, Configuration, Secrets};
use crate::exit::Exit;
use crate::mapping::Desired;
use crate::source::OpenDirectory;
use crate::target::Client;

pub(super) async fn run(
    mut cache: Cache,
    configuration: &Configuration,
    secrets: &Secrets,
    options: &Options,
    now: Timestamp,
) -> Result<Report, Error> {
    if options.full {
        cache.disregard();
    }
    let (desired, directory) =
        match read_since(&cache, configuration, secrets, options, now).await? {
            Since::Unchanged { compared_at } => return Ok(Report::unchanged(compared_at, options)),
            Since::Read(desired, directory) => (desired, directory),
        };
    let digest = Digest::of_desired(&desired);
    if let Some(agreement) = cache.agreement()
        && agreement.desired == digest
    {
        let report = Report::unchanged(agreement.compared_at, options);
        cache.still_agree(directory).await;
        return Ok(report);
    }
    cache.begin().await;
    let client = Client::new(&configuration.target, &secrets.token)?;
    let source = Some((configuration, secrets));
    let comparison = compare_desired(*desired, &client, configuration, options, source).await?;
    let report = carry_out(comparison, &client, configuration, options).await;
    if report.exit() == Exit::Success {
        let agreement = Agreement {
            compared_at: now,
            desired: digest,
            directory,
        };
        cache.agree(agreement).await;
    }
    Ok(report)
}

/// The current state of the directory.
enum Since {
    /// The same as when both sides were compared.
    Unchanged { compared_at: Timestamp },
    /// Read, with the mark of its state if there is one.
    Read(Box<Desired>, Option<DirectoryMark>),
}

async fn read_since(
    cache: &Cache,
    configuration: &Configuration,
    secrets: &Secrets,
    options: &Options,
    now: Timestamp,
) -> Result<Since, Error> {
    let mapping = configuration
        .mapping()
        .map_err(configuration::Error::from)?;
    (options.progress)(Progress::ReadingDirectory);
    let mut directory = OpenDirectory::open(&configuration.source, &secrets.bind_password).await?;
    let mark = match &configuration.cache {
        Some(settings) if settings.read_directory == ReadDirectory::IfChanged => {
            directory.mark().await?
        }
        _ => None,
    };
    if let Some(agreement) = cache.agreement()
        && let Some(known) = &agreement.directory
        && known.holds_at(now)
        && mark.as_ref() == Some(&known.mark)
    {
        directory.close().await;
        return Ok(Since::Unchanged {
            compared_at: agreement.compared_at,
        });
    }
    let whole = directory.read(&requested(&mapping), now).await?;
    let valid_until = whole.next_expiry;
    Ok(Since::Read(
        Box::new(mapping.apply(whole.snapshot)),
        mark.map(|mark| DirectoryMark { mark, valid_until }),
    ))
}
