#!/bin/sh
# Scores yesterday's corpus on Dataflow, every night at 03:15 UTC.
#
#   PROJECT=my-project REGION=us-central1 sh configs/schedule/cloud_scheduler.sh
#
# A Cloud Run job runs the command in the image of configs/dataflow/Dockerfile: it submits the
# Dataflow job, waits until it is done, and publishes. Cloud Scheduler starts it with the arguments
# in cloud_scheduler_body.json, which are the same every night. Before you run this script, replace the
# project, region and bucket in that file: PROJECT and REGION do not change it.
#
# The launcher of a Flex Template cannot do this. It runs a program only to get the description of
# one job (--template_location), and ends before that job begins. A night may take several jobs, and
# its rows are published after the last one is done. The template of configs/dataflow works in
# another way: one worker runs the whole command.
#
# A failed run is retried, which is safe. If the container dies while its Dataflow job runs, Dataflow
# refuses a job of the same name until that job ends: cancel it, or run the night again later.
# After a tripped gate (exit code 3) every retry fails too, within seconds: the date is complete by
# then and is skipped. To score another date:
#
#   gcloud run jobs execute limelight-score --args=score,--date=2026-11-20,...
set -eu

IMAGE="${IMAGE:-$REGION-docker.pkg.dev/$PROJECT/limelight/cpu:0.1.0}"
ACCOUNT="limelight@$PROJECT.iam.gserviceaccount.com"

gcloud run jobs deploy limelight-score \
  --project="$PROJECT" \
  --region="$REGION" \
  --image="$IMAGE" \
  --command=limelight \
  --cpu=2 \
  --memory=4Gi \
  --max-retries=3 \
  --task-timeout=12h \
  --service-account="$ACCOUNT"

# The role run.invoker is not enough for a caller that passes arguments.
gcloud run jobs add-iam-policy-binding limelight-score \
  --project="$PROJECT" \
  --region="$REGION" \
  --member="serviceAccount:$ACCOUNT" \
  --role=roles/run.developer

gcloud scheduler jobs create http limelight-score-nightly \
  --project="$PROJECT" \
  --location="$REGION" \
  --schedule="15 3 * * *" \
  --time-zone="Etc/UTC" \
  --http-method=POST \
  --uri="https://run.googleapis.com/v2/projects/$PROJECT/locations/$REGION/jobs/limelight-score:run" \
  --headers="Content-Type=application/json" \
  --oauth-service-account-email="$ACCOUNT" \
  --message-body-from-file="$(dirname "$0")/cloud_scheduler_body.json" \
  --max-retry-attempts=3
