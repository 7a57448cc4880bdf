#!/bin/sh
# Prints the commands that make the Flex Template of `score` and launch it. It does not run them.
#
#   make template PROJECT=my-project REGION=us-central1 BUCKET=my-bucket
#
# metadata.json describes the template's parameters. The third command makes a file like spec.json
# from it. To do the same by hand, write the name of your image into spec.json and copy it to gs://.
set -eu
: "${PROJECT:=my-project}" "${REGION:=us-central1}" "${BUCKET:=my-bucket}"
image="$REGION-docker.pkg.dev/$PROJECT/limelight/template:0.1.0"
template="gs://$BUCKET/templates/limelight-score.json"

cat <<EOF
docker build --file configs/dataflow/Dockerfile --target template \\
  --build-arg IMAGE=$image --tag $image .

docker push $image

gcloud dataflow flex-template build $template \\
  --project=$PROJECT --image=$image --sdk-language=PYTHON \\
  --metadata-file=configs/dataflow/metadata.json \\
  --worker-machine-type=n2-standard-16 --max-workers=1 --additional-user-labels=app=limelight

gcloud dataflow flex-template run limelight-score \\
  --project=$PROJECT --region=$REGION --template-file-gcs-location=$template \\
  --temp-location=gs://$BUCKET/temp --staging-location=gs://$BUCKET/staging \\
  --parameters='model=gs://$BUCKET/models/reviews/1,input=gs://$BUCKET/corpus/{date}/*.jsonl.gz,output=gs://$BUCKET/out'
EOF
