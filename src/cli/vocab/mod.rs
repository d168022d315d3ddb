//! `edgeclip vocab`

mod add;
mod build;
mod edit;
mod event;
mod file;
mod import;
mod renew;
mod show;
mod shown;
mod test;

pub(super) use file::hexadecimal;

use clap::Subcommand;

use super::Failures;

/// Make, teach and inspect vocabulary files: what to look for, in words and examples
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Build(build::BuildArgs),
    Add(Box<add::AddArgs>),
    Show(show::ShowArgs),
    Test(test::TestArgs),
    Remove(edit::RemoveArgs),
    Rename(edit::RenameArgs),
    Merge(edit::MergeArgs),
    Undo(edit::UndoArgs),
    Renew(renew::RenewArgs),
}

/// Runs the subcommand.
///
/// # Errors
/// Prompts, pictures, labels, files or the model cannot be used.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    match &args.command {
        Command::Build(args) => build::run(args)?,
        Command::Add(args) => return add::run(args),
        Command::Show(args) => show::run(args)?,
        Command::Test(args) => return test::run(args),
        Command::Remove(args) => edit::remove(args)?,
        Command::Rename(args) => edit::rename(args)?,
        Command::Merge(args) => edit::merge(args)?,
        Command::Undo(args) => edit::undo(args)?,
        Command::Renew(args) => return renew::run(args),
    }
    Ok(Failures::default())
}
