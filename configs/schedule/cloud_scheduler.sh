#!/bin/sh
# Makes the Cloud Scheduler job that launches the scoring Flex Template every night at 03:15 UTC.
#
#   PROJECT=my-project REGION=us-central1 sh configs/schedule/cloud_scheduler.sh
#
# The body is the same every night: the template scores the date of the launch, in UTC. Its job
# has one name, so that a night is not launched while the one before is still at work.
set -eu

gcloud scheduler jobs create http limelight-score-nightly \
  --project="$PROJECT" \
  --location="$REGION" \
  --schedule="15 3 * * *" \
  --time-zone="Etc/UTC" \
  --http-method=POST \
  --uri="https://dataflow.googleapis.com/v1b3/projects/$PROJECT/locations/$REGION/flexTemplates:launch" \
  --headers="Content-Type=application/json" \
  --oauth-service-account-email="limelight@$PROJECT.iam.gserviceaccount.com" \
  --message-body-from-file="$(dirname "$0")/cloud_scheduler_body.json" \
  --max-retry-attempts=3
