//! What an operator sees of whom providers know somebody by.

use chrono::TimeDelta;

use super::linked;
use crate::{
    binary::{process::Outcome, serving::Deployment},
    oidc::{Lobby, WORK, ann, bob},
};

/// What `tenantry user identities` says of an address.
async fn identities_of(lobby: &Lobby, email: &str) -> Outcome {
    let database = &lobby.stage.database;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    deployment.command("user identities").arg(email).run().await
}

#[tokio::test]
async fn an_operator_sees_what_somebody_signs_in_by() {
    let lobby = Lobby::new().await;
    let carl = lobby.stage.newcomer("Carl").await;
    let dora = lobby.stage.newcomer("Dora").await;
    linked(&lobby, &carl.client, &ann()).await;
    linked(&lobby, &carl.client, &bob().without("email")).await;
    let issuer = lobby.provider.issuer();
    let moment = || lobby.stage.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let first = moment();
    let lines = [
        format!("{WORK}  {issuer}  4711  ann@example.com  linked {first}  never used\n"),
        format!("{WORK}  {issuer}  4712  -  linked {first}  never used\n"),
    ];
    let told = identities_of(&lobby, &carl.email.to_uppercase()).await;
    told.expect(0).says(&lines[0]).says(&lines[1]);
    assert_eq!(told.stdout.lines().count(), 2, "{told}");

    lobby.stage.app.clock.advance(TimeDelta::seconds(5));
    lobby.come_in(&ann().with("email", "ann.miller@example.com")).await;
    let used = format!(
        "{WORK}  {issuer}  4711  ann.miller@example.com  linked {first}  last used {}\n",
        moment()
    );
    let told = identities_of(&lobby, &carl.email).await;
    told.expect(0).says(&used).says(&lines[1]);

    let nothing = format!("{} signs in through no provider.", dora.email);
    identities_of(&lobby, &dora.email).await.expect(0).says(&nothing);
    for nobody in ["nobody@example.com", "no address"] {
        let refused = identities_of(&lobby, nobody).await;
        refused.expect(1).complains(nobody);
        assert_eq!(refused.stdout, "");
    }
}
